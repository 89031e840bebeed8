"""asyncio: coroutines that take turns, gathered, cancelled, and timed by nothing but their order."""

import asyncio

log = []


async def worker(name, turns):
    for n in range(turns):
        log.append("%s%d" % (name, n))
        await asyncio.sleep(0)
    return name * turns


async def endless():
    try:
        while True:
            await asyncio.sleep(0)
    except asyncio.CancelledError:
        log.append("cancelled")
        raise


async def numbers(n):
    for i in range(n):
        yield i


async def main():
    task = asyncio.ensure_future(endless())
    found = await asyncio.gather(worker("a", 3), worker("b", 2))
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        log.append("seen")
    queue = asyncio.Queue()
    for n in range(3):
        queue.put_nowait(n * n)
    return found, [queue.get_nowait() for _ in range(3)], [i async for i in numbers(3)]


loop = asyncio.new_event_loop()
print(loop.run_until_complete(main()), log)
loop.close()
