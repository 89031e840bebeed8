"""All combinations of a plan: one training for all whom it fits, several builds at a time, each kept when done."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path

import msgspec

from profiler.errors import MachineError, ProbeError
from profiler.launch.binaries.elf import build_id
from profiler.model import Target
from profiler.model.factorial import Built, FactorialPlan, Levels, NotBuilt, Training, cell_name
from profiler.rebuild.build_cache import Artifact, BuildCache, key_of
from profiler.rebuild.build_progress import WEIGHT, BuildListener, BuildProgress
from profiler.rebuild.cpython_build import CPythonBuild, task_of
from profiler.rebuild.recipe import USE, Base, BuildRecipe, recipe_of, training_of
from profiler.rebuild.source_tree import SourceTree
from profiler.system.process_groups import stop_all


class Builder:
    """Builds of one source for one target, in one cache."""

    def __init__(
        self, *, target: Target, source: SourceTree, plan: FactorialPlan, base: Base, build_cache: BuildCache
    ) -> None:
        self.source = source
        self.base = base
        self.changed = base.changed
        """What is not as the target's own build, as far as it is known; sentences."""
        if plan.training_task == "distribution" and source.training_task is None:
            self.changed += ("the training runs CPython's own task: the source names none of a distribution's",)
        self.build_cache = build_cache
        self._plan = plan
        self._cpython = CPythonBuild(target, source, build_cache)
        self._task = task_of(source, plan)

    def build(
        self, cells: Iterable[Levels], jobs: int, watch: BuildListener
    ) -> tuple[tuple[Built, ...], tuple[NotBuilt, ...]]:
        """Build what is not in the cache, ``jobs`` combinations at a time; a failure does not stop the others.

        Raises:
            KeyboardInterrupt: everything is stopped; what is complete and what has begun is kept.
        """
        recipes: list[BuildRecipe] = []
        failed: list[NotBuilt] = []
        for levels in cells:
            try:
                recipes.append(recipe_of(self.base, self._plan, levels))
            except MachineError as error:
                failed.append(NotBuilt(levels=levels, message=error.message, hint=error.hint))
        trainings = {
            key: recipe for profiled in recipes if profiled.profile for key, recipe in [self._training(profiled)]
        }
        todo = BuildProgress(self._weights(recipes, trainings), watch)
        pool = ThreadPoolExecutor(max_workers=jobs)
        try:
            trained = {key: pool.submit(self._train, key, recipe, todo) for key, recipe in trainings.items()}
            # Those that wait for a training come last, so that no worker stands idle meanwhile.
            made = {
                pool.submit(self._make, recipe, trained, todo): recipe
                for recipe in sorted(recipes, key=lambda recipe: recipe.profile)
            }
            built = []
            for future in as_completed(made):
                recipe = made[future]
                try:
                    built.append(future.result())
                    watch.say(f"built {cell_name(recipe.levels)} ({built[-1].seconds:.0f} s)")
                except ProbeError as error:
                    failed.append(NotBuilt(levels=recipe.levels, message=error.message, hint=error.hint))
                    watch.say(f"failed {cell_name(recipe.levels)}: {error.message}")
        except BaseException:
            self._cpython.stopping = True
            while any(thread.is_alive() for thread in pool._threads):
                pool.shutdown(wait=False, cancel_futures=True)
                stop_all()
                time.sleep(0.05)
            raise
        pool.shutdown()
        order = [recipe.levels for recipe in recipes]
        return tuple(sorted(built, key=lambda build: order.index(build.levels))), tuple(failed)

    def tested(self, levels: Levels, product: str, tests: tuple[str, ...], watch: BuildListener) -> tuple[bool, str]:
        """Whether CPython's own ``tests`` pass on ``product``, a library of these levels, and a sentence on it.

        Raises:
            MachineError: what they need cannot be built.
        """
        recipe = recipe_of(self.base, self._plan, levels)
        key = key_of("tested", self.source.digest, recipe, build_id(product) or product, *tests)
        on_line = BuildProgress({key: WEIGHT["train"]}, watch).doing(key)
        artifact = self.build_cache.get(
            "tested",
            key,
            lambda folders: self._cpython.test(recipe, product, tests, folders, on_line),
        )
        return bool(artifact.facts["passed"]), f"{', '.join(tests)}: {artifact.facts['told']}"

    def missing(self, cells: Iterable[Levels]) -> tuple[int, float]:
        """How many builds and trainings are not in the cache, and their work in the units of ``WEIGHT``."""
        recipes = []
        for levels in cells:
            try:
                recipes.append(recipe_of(self.base, self._plan, levels))
            except MachineError:
                continue
        trainings = {
            key: recipe for profiled in recipes if profiled.profile for key, recipe in [self._training(profiled)]
        }
        weights = self._weights(recipes, trainings)
        return len(weights), sum(weights.values())

    def _weights(self, recipes: list[BuildRecipe], trainings: Mapping[str, BuildRecipe]) -> dict[str, float]:
        weights = {key: WEIGHT["train"] for key in trainings if self.build_cache.find("trained", key) is None}
        for recipe in recipes:
            key = self._key(recipe)
            if self.build_cache.find("built", key) is None:
                weights[key] = WEIGHT["lto" if any("-flto" in flag for flag in recipe.cflags) else "plain"]
        return weights

    def _training(self, recipe: BuildRecipe) -> tuple[str, BuildRecipe]:
        training = training_of(self.base, self._plan, recipe)
        return key_of("trained", self.source.digest, training, *self._task), training

    def _key(self, recipe: BuildRecipe) -> str:
        more = (self._training(recipe)[0], *USE) if recipe.profile else ()
        return key_of(recipe.product, self.source.digest, recipe, *more)

    def _train(self, key: str, recipe: BuildRecipe, progress: BuildProgress) -> Artifact:
        progress.begin(key)
        on_line = progress.doing(key)
        artifact = self.build_cache.get(
            "trained", key, lambda folders: self._cpython.train(recipe, self._task, folders, on_line)
        )
        progress.end(key)
        return artifact

    def _make(self, recipe: BuildRecipe, trained: Mapping[str, Future[Artifact]], progress: BuildProgress) -> Built:
        key = self._key(recipe)
        trained_by = trained[self._training(recipe)[0]].result() if recipe.profile else None
        counts = trained_by.path if trained_by is not None else None
        progress.begin(key)
        on_line = progress.doing(key)
        artifact = self.build_cache.get(
            "built", key, lambda folders: self._cpython.product(recipe, counts, folders, on_line)
        )
        progress.end(key)
        product = str(Path(artifact.path) / str(artifact.facts["product"]))
        mismatched = artifact.facts["mismatched_functions"]
        return Built(
            levels=recipe.levels,
            kind=recipe.product,
            product=product,
            build_id=build_id(product),
            key=key,
            configure=recipe.configure,
            cflags=recipe.cflags + (USE if recipe.profile else ()) + recipe.program_cflags,
            ldflags=recipe.ldflags + recipe.core_ldflags + recipe.program_ldflags,
            training=_training_of(trained_by) if trained_by is not None else None,
            mismatched_functions=int(mismatched) if mismatched is not None else None,
            seconds=artifact.seconds,
            log=artifact.log,
        )


def _training_of(artifact: Artifact) -> Training:
    names = str(artifact.facts.get("failed_names") or "").split()
    return msgspec.convert({"key": artifact.key} | artifact.facts | {"failed_names": names}, Training)
