"""A sorted list by bisect, a queue by heapq."""

import bisect
import heapq

found = []
for number in (5, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5):
    bisect.insort(found, number)
print(found, bisect.bisect_left(found, 5), bisect.bisect_right(found, 5))
heap = [(n * 7919 % 101, n) for n in range(20)]
heapq.heapify(heap)
print([heapq.heappop(heap) for _ in range(8)], heapq.nlargest(3, heap), heapq.nsmallest(2, heap))
print(list(heapq.merge([1, 4, 7], [2, 5], [0, 9])))
