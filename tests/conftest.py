"""What every test may use: real photos, a full disk, a served app, and marks by folder."""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

# All before torch, huggingface_hub and onnxruntime are imported. Workers that run side by side take
# one core each, and no test fetches or sends anything.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

REPO = Path(__file__).resolve().parent.parent
START_SECONDS = 90

ServeApp = Callable[..., AbstractContextManager[str]]


# Folders whose tests share something costly, a server or a built wheel: one worker runs them all.
# (pytest-xdist's own groups, `--dist loadgroup`, have no effect under pytest 9.2.)
TOGETHER = ("tests/browser/", "tests/packaging/")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    if config.getvalue("dist") != "load":
        return None  # something else was asked for on the command line
    from xdist.scheduler import LoadScopeScheduling

    class FilesTogether(LoadScopeScheduling):
        """A worker runs whole files, so that what a file's tests share is made once."""

        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return next((folder for folder in TOGETHER if file.startswith(folder)), file)

    config.option.loadscopereorder = False  # see pytest_collection_modifyitems
    return FilesTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by folder, and begin with what takes long: the last file is one worker's alone."""
    for item in items:
        folder = item.path.relative_to(REPO / "tests").parts[0]
        if folder in ("browser", "gpu"):
            item.add_marker(folder)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path.parent.name != "browser", item.path not in slow))
    needs_gpu = [item for item in items if item.get_closest_marker("gpu")]
    if needs_gpu and not cuda_is_available():
        for item in needs_gpu:
            # Most machines have none, and the project must pass on them.
            reason = "needs a CUDA device, and torch sees none"
            item.add_marker(pytest.mark.skip(reason=reason))


def cuda_is_available() -> bool:
    import torch  # here, because most runs collect no test that asks

    return torch.cuda.is_available()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real photos that may lie beside the repository, as tar files."""
    folder = REPO.parent / "shared" / "data"
    if not folder.is_dir():
        # The photos are no part of the repository, so a clone by itself must pass without them:
        # what they show is tested on drawn scenes, too.
        pytest.skip(f"needs real photos, and there is no folder {folder}")
    return folder


@pytest.fixture(scope="session")
def real_photo(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG of a church, as a camera made it but for its size of 224×224."""
    archive = data_dir / "imagenette-val-224.tar"
    if not archive.is_file():
        # The folder may be there without this archive: a person may have taken another one alone.
        pytest.skip(f"needs real photos, and there is no file {archive}")
    with tarfile.open(archive) as photos:
        churches = (member for member in photos if "/n03028079/" in member.name and member.isfile())
        member = next(churches)
        stream = photos.extractfile(member)
        assert stream is not None
        photo = tmp_path_factory.mktemp("photo") / Path(member.name).name
        photo.write_bytes(stream.read())
    return photo


@pytest.fixture
def fill_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function after which the disk is full: for every file, or for a file or folder by name."""

    def fill(name: str | None = None) -> None:
        replace = Path.replace

        def refuse(source: Path, target: Path) -> Path:
            if name in (None, target.name, target.parent.name):
                raise OSError(errno.ENOSPC, "No space left on device")
            return replace(source, target)

        monkeypatch.setattr(Path, "replace", refuse)

    return fill


@pytest.fixture(scope="session")
def serve_app(tmp_path_factory: pytest.TempPathFactory) -> ServeApp:
    """Starts the app for the length of a `with` block, and gives its address.

    The first argument is how to call the `advprop` command, the others go to `advprop app`. The
    block begins when the server is healthy; after it the server and all its children are gone.
    """

    @contextlib.contextmanager
    def serve(
        advprop: Sequence[str | Path],
        *arguments: str | Path,
        cwd: Path = REPO,
        env: Mapping[str, str] | None = None,
    ) -> Iterator[str]:
        url = f"http://localhost:{(port := free_port())}"
        log = tmp_path_factory.mktemp("server") / "log.txt"
        with log.open("w") as output:
            server = subprocess.Popen(
                [*advprop, "app", "--port", str(port), *arguments],
                cwd=cwd,
                env={**server_environment(), **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a process group of its own, to end it whole
            )
        try:
            wait_until_healthy(url, server, log)
            yield url
        finally:
            end_group(server)

    return serve


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server_environment() -> dict[str, str]:
    """The server may use every core, and opens no browser window."""
    environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    return environment | {"STREAMLIT_SERVER_HEADLESS": "true"}


def wait_until_healthy(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            direct.open(f"{url}/_stcore/health", timeout=5) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.1)
    ended = f"ended with {server.returncode}" if server.poll() is not None else "gave no answer"
    pytest.fail(f"the app's server {ended}:\n{log.read_text()[-4000:]}")


def end_group(server: "subprocess.Popen[bytes]") -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=10)
