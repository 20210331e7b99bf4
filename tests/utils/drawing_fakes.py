"""What the drawing functions use of pydot and matplotlib, in a form that tests can read; neither is needed to test."""

import re


class Node:
    def __init__(self, name, **attributes):
        self.name, self.attributes = name, attributes

    @property
    def text(self):
        """The cells of the label, without markup."""
        cells = self.attributes["label"][1:-1].split("</td>")
        return [text for cell in cells if (text := re.sub(r"<[^>]*>", "", cell))]


class Edge:
    def __init__(self, source, target, **attributes):
        self.ends, self.attributes = (source, target), attributes


class Graph:
    def __init__(self, graph_name="G", **attributes):
        self.name, self.attributes, self.node_defaults = graph_name, attributes, {}
        self.nodes, self.edges, self.clusters, self.written = [], [], [], []

    def set(self, name, value):
        self.attributes[name] = value

    def set_node_defaults(self, **attributes):
        self.node_defaults = attributes

    def add_node(self, node):
        self.nodes.append(node)

    def add_edge(self, edge):
        self.edges.append(edge)

    def add_subgraph(self, cluster):
        self.clusters.append(cluster)

    def create(self):
        raise FileNotFoundError('"dot" not found in path.')

    def write(self, path, format):
        self.written.append((path, format))

    def all_nodes(self):
        return [*self.nodes, *(node for cluster in self.clusters for node in cluster.all_nodes())]

    def arrows(self):
        """Pairs of node titles."""
        titles = {node.name: node.text[0] for node in self.all_nodes()}
        edges = [*self.edges, *(edge for cluster in self.clusters for edge in cluster.all_edges())]
        return [tuple(titles[end] for end in edge.ends) for edge in edges]

    def all_edges(self):
        return [*self.edges, *(edge for cluster in self.clusters for edge in cluster.all_edges())]


Dot = Graph


class Cluster(Graph):
    pass


# -- matplotlib.pyplot ------------------------------------------------------------------------------------------------


class Line:
    def __init__(self, x, y, style, color, label):
        self.x, self.y, self.style, self.color, self.label = list(x), list(y), style, color, label

    def get_color(self):
        return self.color


class Axes:
    def __init__(self, figure=None):
        self.figure, self.lines, self.images, self.off, self.legends, self.handles = figure, [], [], False, 0, None

    def plot(self, x, y, style="-", color=None, label=None):
        self.lines.append(Line(x, y, style, color or f"C{len(self.lines)}", label))
        return (self.lines[-1],)

    def set_xlabel(self, text):
        self.label = text

    def legend(self):
        self.legends += 1

    def imshow(self, image):
        self.images.append(image)

    def axis(self, what):
        self.off = what == "off"

    def set_title(self, text, **kwargs):
        self.title = text


class Figure:
    def __init__(self):
        self.saved, self.shown, self.handles, self.closed = [], 0, None, False

    def savefig(self, path=None, **kwargs):
        self.saved.append((path or kwargs.pop("fname"), kwargs))

    def legend(self, handles, **kwargs):
        self.handles = handles

    def subplots_adjust(self, **kwargs):
        pass


class Pyplot:
    """Stands for the module."""

    def __init__(self):
        self.figures, self.shown, self.closed = [], 0, []

    def subplots(self, rows=1, cols=1, **kwargs):
        import numpy as np

        self.figures.append(Figure())
        axes = np.empty((rows, cols), dtype=object)
        for place in np.ndindex(rows, cols):
            axes[place] = Axes(self.figures[-1])
        self.axes, self.options = axes, kwargs
        return self.figures[-1], axes

    def show(self, **kwargs):
        self.shown += 1

    def close(self, figure):
        self.closed.append(figure)
