"""Fixtures of the acceptance tests: nodes that are cleaned up, whose logs are shown when a test fails."""

import json

import pytest

from node import Node, shared_file


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        for node in _nodes(item):
            report.sections.append((f"log of {node.folder}", node.log()[-8000:]))


def _nodes(item):
    seen = []
    for value in item.funcargs.values():
        found = value if isinstance(value, list) else [value]
        seen += [node for node in found if isinstance(node, Node) and node not in seen]
        seen += [node for node in getattr(value, "nodes", []) if node not in seen]
    return seen


class Nodes:
    """Makes nodes and ends them with the test."""

    def __init__(self):
        self.nodes = []

    def __call__(self, *args, **options):
        node = Node(*args, **options)
        self.nodes.append(node)
        return node

    def close(self):
        for node in self.nodes:
            node.close()


@pytest.fixture
def nodes():
    """A maker of nodes for one test."""
    maker = Nodes()
    yield maker
    maker.close()


@pytest.fixture
def node(nodes):
    """A fresh node in development mode, ready."""
    return nodes().start()


@pytest.fixture(scope="module")
def standing():
    """A node that the tests of a module share; each uses names of its own."""
    with Node() as node:
        yield node.start()


@pytest.fixture(scope="session")
def services107():
    """The 107 services of a branch, in the native form."""
    path = shared_file("fixtures", "services-107.jsonl")
    if path is None:
        pytest.skip("the file of the 107 services is not on this machine (set POSTO_SHARED to the folder that holds fixtures/)")
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
