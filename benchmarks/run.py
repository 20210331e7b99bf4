"""Time kerasish against Keras on each of its backends, side by side in one run, and print ratios.

    python benchmarks/run.py                       every workload, all libraries that are installed
    python benchmarks/run.py W1 W6 --rounds 9      some workloads
    python benchmarks/run.py --against none        kerasish alone
    python benchmarks/run.py --peer-python P       the interpreter that has Keras, if it is another one
    python benchmarks/run.py --imports             what importing costs

Each library runs a workload in a process of its own; the processes take turns, so that what else the machine does hits
all of them. A ratio is the best peer's time over ours: more than 1 means that kerasish is ahead.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

from workloads import WORKLOADS

PEERS = ("jax", "tensorflow", "torch")
MEASURES = {"step": "ms per training step", "predict": "ms of predict on one row", "call": "ms of model(x) on one row"}
IMPORTS = {
    "numpy, h5py": "import numpy, h5py",
    "kerasish": "import kerasish",
    "jax": "import os; os.environ['KERAS_BACKEND'] = 'jax'; import keras",
    "tensorflow": "import os; os.environ['KERAS_BACKEND'] = 'tensorflow'; import keras",
    "torch": "import os; os.environ['KERAS_BACKEND'] = 'torch'; import keras",
}
REST = 0.2  # seconds before a turn: threads of the library before it look for work a while before they sleep
RESIDENT = "; import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"


class Child:
    """A library with a workload, in its own process."""

    def __init__(self, python: str, library: str, workload: str):
        self.library = library
        env = dict(os.environ)
        if library == "kerasish":
            env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE.parent), env.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [python, str(HERE / "child.py"), library, workload],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
        )  # fmt: skip
        self.answer()

    def answer(self) -> float:
        line = self.process.stdout.readline()
        while line and not line.startswith(('"ready"', *"0123456789")):
            line = self.process.stdout.readline()  # what the library says of itself
        if not line:
            raise RuntimeError(f"{self.library}: {self.process.stderr.read().strip().splitlines()[-1:]}")
        return json.loads(line)

    def ask(self, what: str) -> float:
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def compare(name: str, libraries: dict[str, str], rounds: int) -> dict:
    """Medians of each measure for each library, taken in turns."""
    children = []
    for library, python in libraries.items():
        try:
            children.append(Child(python, library, name))
        except RuntimeError as e:
            print(f"  left out: {e}", file=sys.stderr)
    found: dict = {m: {c.library: [] for c in children} for m in MEASURES}
    for _ in range(rounds):
        for measure, times in found.items():
            for child in children:
                time.sleep(REST)
                times[child.library].append(child.ask(measure) * 1000)
    result = {m: {k: statistics.median(v) for k, v in times.items()} for m, times in found.items()}
    result["memory"] = {c.library: c.ask("memory") for c in children}
    for child in children:
        child.close()
    return result


def table(rows: dict[str, dict[str, float]], title: str, digits: int = 3) -> str:
    columns = list(dict.fromkeys(c for row in rows.values() for c in row))
    lines = [f"\n{title}", "| | " + " | ".join(columns) + " | ratio |", "|---" * (len(columns) + 2) + "|"]
    for name, row in rows.items():
        peers = [v for k, v in row.items() if k != "kerasish"]
        ratio = f"{min(peers) / row['kerasish']:.2f}" if peers and "kerasish" in row else ""
        cells = [f"{row[c]:.{digits}f}" if c in row else "" for c in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {ratio} |")
    return "\n".join(lines)


def imports(libraries: dict[str, str], rounds: int) -> str:
    """Seconds and resident megabytes of importing each library."""
    code = {k: v for k, v in IMPORTS.items() if k in libraries or k == "numpy, h5py"}
    python = {**libraries, "numpy, h5py": libraries["kerasish"]}
    seconds: dict = {k: [] for k in code}
    memory = {}
    env = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    for _ in range(rounds):
        for name, statement in code.items():
            probe = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)" + RESIDENT
            out = subprocess.run([python[name], "-c", probe], capture_output=True, text=True, env=env, check=True)
            taken, memory[name] = map(float, out.stdout.split()[-2:])
            seconds[name].append(taken)
    lines = ["\nimport", "| | seconds | MB resident |", "|---|---|---|"]
    lines += [f"| {k} | {statistics.median(v):.3f} | {memory[k]:.0f} |" for k, v in seconds.items()]
    return "\n".join(lines)


def installed(python: str) -> list[str]:
    code = "import importlib.util as u, json; print(json.dumps([m for m in {} if u.find_spec(m)]))".format(
        ("keras", *PEERS, "sklearn")
    )
    found = json.loads(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout)
    return [m for m in found if m != "keras" and ("keras" in found or m == "sklearn")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", default=[], help=", ".join(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--against", default=None, help="libraries, comma separated; default: all that are installed")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--imports", action="store_true")
    options = parser.parse_args()
    unknown = set(options.workloads) - set(WORKLOADS)
    if unknown:
        parser.error(f"unknown workloads: {', '.join(sorted(unknown))}. There are {', '.join(WORKLOADS)}.")
    peers = installed(options.peer_python) if options.against is None else options.against.split(",")
    libraries = {"kerasish": sys.executable, **{p: options.peer_python for p in peers if p != "none"}}
    if options.imports:
        print(imports({k: v for k, v in libraries.items() if k != "sklearn"}, options.rounds))
        return
    results: dict = {m: {} for m in (*MEASURES, "memory")}
    for name in options.workloads or WORKLOADS:
        used = {k: v for k, v in libraries.items() if k != "sklearn" or name == "W6"}
        print(f"{name}: {WORKLOADS[name].__doc__}", file=sys.stderr)
        for measure, row in compare(name, used, options.rounds).items():
            results[measure][name] = row
    for measure, title in MEASURES.items():
        print(table(results[measure], title))
    print(table(results["memory"], "peak memory of the process, MB", 0))


if __name__ == "__main__":
    main()
