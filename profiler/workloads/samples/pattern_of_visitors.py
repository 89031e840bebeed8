"""The ast module: a tree is read, changed, and run."""

import ast


class Doubled(ast.NodeTransformer):
    def visit_Constant(self, node):
        return ast.copy_location(ast.Constant(node.value * 2), node) if isinstance(node.value, int) else node


class Names(ast.NodeVisitor):
    def __init__(self):
        self.found = []

    def visit_Name(self, node):
        self.found.append(node.id)


tree = ast.parse("a + 3 * (b - 1)", mode="eval")
names = Names()
names.visit(tree)
print(names.found, [type(node).__name__ for node in ast.walk(tree)][:3])
changed = ast.fix_missing_locations(Doubled().visit(tree))
print(eval(compile(changed, "made", "eval"), {"a": 1, "b": 10}), ast.literal_eval("{'x': [1, (2,)]}"))
