# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Searching a graph
#
# Breadth-first search visits $|V|$ nodes and $|E|$ edges, so it takes
#
# $$T(V, E) = \mathcal{O}(|V| + |E|).$$
#
# ![Who calls whom](../diagrams/search-sequence.svg)

# %%
from collections import deque

graph = {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": ["e"], "e": []}


def distances(graph, start):
    found = {start: 0}
    frontier = deque([start])
    while frontier:
        node = frontier.popleft()
        for neighbour in graph[node]:
            if neighbour not in found:
                found[neighbour] = found[node] + 1
                frontier.append(neighbour)
    return found


# %%
distances(graph, "a")

# %% [markdown]
"""
The distance $d(v)$ satisfies

\begin{align}
d(s) &= 0 \\
d(v) &= 1 + \min_{(u, v) \in E} d(u).
\end{align}
"""

# %%
assert distances(graph, "a")["e"] == 3
print("furthest:", max(distances(graph, "a").items(), key=lambda item: item[1]))
