"""copy and deepcopy, with cycles and methods of their own."""

import copy


class Node:
    def __init__(self, value, children=()):
        self.value, self.children = value, list(children)


class Once:
    made = 0

    def __deepcopy__(self, memo):
        Once.made += 1
        return self


root = Node(1, [Node(2), Node(3)])
root.children.append(root)
shallow, deep = copy.copy(root), copy.deepcopy(root)
root.children[0].value = 20
print(shallow.children[0].value, deep.children[0].value, deep.children[2] is deep, shallow.children is root.children)
once = Once()
print(copy.deepcopy([once, once])[1] is once, Once.made)
