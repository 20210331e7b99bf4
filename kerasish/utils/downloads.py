"""Files from the network, kept in a folder and checked by their hashes."""

import hashlib
import os
import pathlib
import tarfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from typing import Any

from kerasish.base.errors import UnsafeFileError
from kerasish.base.registry import export

PIECE = 1 << 20


@export("keras.utils.get_file")
def get_file(
    fname: Any = None, origin: str | None = None, untar: bool = False, md5_hash: str | None = None,
    file_hash: str | None = None, cache_subdir: str = "datasets", hash_algorithm: str = "auto", extract: bool = False,
    archive_format: str | None = "auto", cache_dir: Any = None, force_download: bool = False,
) -> str:  # fmt: skip
    """The path of a file from the URL `origin`, downloaded unless it is in the cache: cache_dir/cache_subdir/fname.

    file_hash, hash_algorithm: its SHA-256 or MD5 in hexadecimal digits; a file with another hash is deleted, and is an error.
    extract: unpack an archive (archive_format "tar", "zip" or "auto"), and give the path of the folder. Members that would
             leave that folder are refused.
    cache_dir: ~/.keras by default, or what the environment's KERAS_HOME says.
    """
    if origin is None:
        raise ValueError('Please specify the "origin" argument (URL of the file to download).')
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    folder = os.path.join(_home(cache_dir), cache_subdir)
    if not os.access(_nearest(folder), os.W_OK):
        folder = os.path.join("/tmp", ".keras", cache_subdir)
    named = fname is not None
    name = os.fspath(fname) if named else os.path.basename(urllib.parse.urlsplit(origin).path)
    if not name:
        raise ValueError(f"Can't parse the file name from the origin provided: '{origin}'. Please specify the `fname` argument.")
    if os.path.dirname(name) or name in (".", ".."):
        raise ValueError(
            "Paths are no longer accepted as the `fname` argument. To specify the file's parent directory, use the "
            f"`cache_dir` argument. Received: fname={name}"
        )
    os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, name)
    unpacked = None
    if untar or extract and not named:  # the folder has the file's name
        unpacked, target = target, f"{target}_archive"
    elif extract:
        stem = name.removesuffix(".gz").removesuffix(".bz2").removesuffix(".xz")
        unpacked = os.path.join(folder, f"{os.path.splitext(stem)[0]}_extracted")
    if force_download or not os.path.isfile(target) or file_hash and not is_file(target, file_hash, hash_algorithm):
        print(f"Downloading data from {origin}")
        _download(origin, target)
        if file_hash and not is_file(target, file_hash, hash_algorithm):
            os.remove(target)
            raise ValueError(
                f"Incomplete or corrupted file detected. The {hash_algorithm} file hash does not match the provided value of "
                f"{file_hash}."
            )
    if unpacked is None:
        return target
    if force_download or not os.path.isdir(unpacked):
        unpack(target, unpacked, "tar" if untar else archive_format)
    return unpacked


def _home(cache_dir: Any) -> str:
    if cache_dir is not None:
        return os.fspath(cache_dir)
    return os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")


def _nearest(folder: str) -> str:
    """The innermost folder on the way that exists."""
    path = pathlib.Path(folder).absolute()
    return str(next(p for p in (path, *path.parents) if p.exists()))


def _download(origin: str, target: str) -> None:
    """Fetch a URL into a file, which is there only when it is complete."""
    part = f"{target}.{os.getpid()}.part"
    try:
        with urllib.request.urlopen(origin) as response, open(part, "wb") as file:
            while piece := response.read(PIECE):
                file.write(piece)
        os.replace(part, target)
    except urllib.error.HTTPError as e:
        raise Exception(f"URL fetch failure on {origin}: {e.code} -- {e.msg}") from e
    except urllib.error.URLError as e:
        raise Exception(f"URL fetch failure on {origin}: {e.errno} -- {e.reason}") from e
    finally:
        if os.path.exists(part):
            os.remove(part)


def is_file(path: str, file_hash: str, algorithm: str = "auto") -> bool:
    """Whether a file has this hash; "auto" tells SHA-256 and MD5 by the number of digits."""
    if algorithm not in ("auto", "sha256", "md5"):
        raise ValueError(f"`hash_algorithm` should be 'auto', 'sha256' or 'md5'. Received: hash_algorithm={algorithm}")
    sha = algorithm == "sha256" or algorithm == "auto" and len(file_hash) == 64
    digest = hashlib.sha256() if sha else hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest() == file_hash.lower()


def unpack(path: str, folder: str, archive_format: Any = "auto") -> bool:
    """Unpack an archive into a folder, which is there only when all of it is; False if it is no archive of the format."""
    if archive_format is None:
        return False
    formats = ("tar", "zip") if archive_format == "auto" else (archive_format,) if isinstance(archive_format, str) else archive_format
    fresh = f"{folder}.{os.getpid()}.part"
    for kind in formats:
        if kind == "tar" and tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                try:
                    archive.extractall(fresh, filter="data")
                except tarfile.FilterError as e:
                    raise UnsafeFileError(f"The archive {path!r} has a member that would do harm: {e}") from e
        elif kind == "zip" and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as zipped:
                for name in zipped.namelist():
                    parts = pathlib.PurePosixPath(name.replace("\\", "/"))
                    if parts.is_absolute() or ".." in parts.parts or ":" in name:
                        raise UnsafeFileError(f"The archive {path!r} has a member outside its folder: {name!r}")
                zipped.extractall(fresh)
        else:
            continue
        os.makedirs(fresh, exist_ok=True)
        if os.path.isdir(folder):
            _merge(fresh, folder)
        else:
            os.replace(fresh, folder)
        return True
    return False


def _merge(source: str, target: str) -> None:
    """Move files into a folder that is there."""
    for root, _, names in os.walk(source, topdown=False):
        inside = os.path.join(target, os.path.relpath(root, source))
        os.makedirs(inside, exist_ok=True)
        for name in names:
            os.replace(os.path.join(root, name), os.path.join(inside, name))
        os.rmdir(root)
