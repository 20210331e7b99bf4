"""Write the training programs of the benchmarks' workloads to docs/programs: python docs/make_programs.py"""

import importlib.util
import pathlib

import kerasish

HERE = pathlib.Path(__file__).parent
spec = importlib.util.spec_from_file_location("workloads", HERE.parent / "benchmarks" / "workloads.py")
workloads = importlib.util.module_from_spec(spec)
spec.loader.exec_module(workloads)

NAMES = ["W1", "W2", "W3", "W4", "W5", "W6"]


def source(name: str) -> str:
    """The source of the program that trains a workload."""
    kerasish.utils.clear_session()
    kerasish.utils.set_random_seed(0)
    model, x, y, batch = workloads.WORKLOADS[name](kerasish)
    model.fit(x[:batch], y[:batch], batch_size=batch, verbose=0)
    return model.program("train").source


def page(name: str) -> str:
    """A workload's page."""
    about = workloads.WORKLOADS[name].__doc__
    return f"# The program that trains {name}\n\n{about}\n\n```python\n{source(name).rstrip()}\n```\n"


if __name__ == "__main__":
    (HERE / "programs").mkdir(exist_ok=True)
    for name in NAMES:
        (HERE / "programs" / f"{name}.md").write_text(page(name))
        print(f"docs/programs/{name}.md")
