"""Files as a whole: replacing them in one step, and the zip archives and folders that hold a model.

The only file that touches zipfile. `replacing` is how every file is written: beside its place first, then moved into it.
`open_archive` reads what `ArchiveWriter` or `write_folder` wrote, and refuses archives that are made to do harm.
"""

import io
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, Self

from kerasish.base.errors import UnsafeFileError
from kerasish.base.lazy import Lazy

shutil, tempfile, zipfile = Lazy("shutil"), Lazy("tempfile"), Lazy("zipfile")

# A compressed member may be so many times larger than it is stored, above a floor; text compresses ten times or so
MOST_EXPANSION = 100
EXPANSION_FLOOR = 1 << 20

# Weights up to this size are put together in memory, larger ones in a temporary file
IN_MEMORY = 64 << 20

PIECE = 1 << 20


def _zip_errors() -> tuple:
    """What zipfile raises at bytes that make no sense."""
    return (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, UnicodeError, OverflowError)



# -- writing ----------------------------------------------------------------------------------------------------------


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[str]:
    """Give the path of a new file to write; when the block ends well, the file takes its place at `path` in one step.

    Until then nothing at `path` changes, and after an error the new file is gone. The file is flushed to the disk before
    it is moved, so that a crash at any moment leaves the old file or the new one, each complete.
    """
    target = os.path.realpath(path)  # a link stays a link; what it points to is replaced
    folder, name = os.path.split(target)
    if os.path.isdir(target):
        raise IsADirectoryError(f"There is a folder at {str(path)!r}, so no file can be saved there.")
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"There is no folder {folder!r} to save {name!r} in. Make it first.")
    fresh = _fresh_file(folder, name)
    try:
        yield fresh
        if os.path.exists(target):
            shutil.copymode(target, fresh)
        _flush_to_disk(fresh)
        os.replace(fresh, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(fresh)
        raise
    with suppress(OSError):  # not every system lets a folder be flushed
        _flush_to_disk(folder)


def _fresh_file(folder: str, name: str) -> str:
    """A new empty file beside `name`, with the permissions that a new file gets."""
    while True:
        path = os.path.join(folder, f".{name}.{os.urandom(6).hex()}.tmp")
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))
            return path


def _flush_to_disk(path: str) -> None:
    handle = os.open(path, os.O_RDONLY if os.path.isdir(path) else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def confirm_overwrite(path: str | os.PathLike) -> bool:
    """Ask on the terminal whether the file at `path` may be replaced."""
    answer = input(f"[WARNING] {path} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    if answer == "y":
        print("[TIP] Next time specify overwrite=True!")
    return answer == "y"


def scratch_file(folder: str | None = None) -> BinaryIO:
    """A temporary binary file: in memory while it is small, then in `folder`; gone when it is closed."""
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=folder)  # type: ignore[return-value]


def write_zip(target: BinaryIO, texts: dict[str, str], binaries: dict[str, BinaryIO], folders: dict[str, str]) -> None:
    """Write a zip archive, uncompressed as Keras does it, with the same bytes for the same contents.

    texts, binaries: names of members and what they hold; folders: names and folders whose files go below them.
    """
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in texts.items():
            data = text.encode("utf8")
            _write_member(archive, name, io.BytesIO(data), len(data))
        for name, file in binaries.items():
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            _write_member(archive, name, file, size)
        for name, folder in folders.items():
            for relative, path in files_below(folder):
                with open(path, "rb") as file:
                    _write_member(archive, f"{name}/{relative}", file, os.path.getsize(path))


def _write_member(archive: Any, name: str, source: BinaryIO, size: int) -> None:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o644 << 16
    info.file_size = size  # lets zipfile see beforehand whether the member needs the 64-bit form
    with archive.open(info, "w") as member:
        shutil.copyfileobj(source, member, PIECE)


def write_folder(target: str, texts: dict[str, str], binaries: dict[str, BinaryIO], folders: dict[str, str]) -> None:
    """Like `write_zip`, into a folder. Each file is replaced in one step; other files in the folder stay."""
    os.makedirs(target, exist_ok=True)
    for name, file in binaries.items():
        file.seek(0)
        with replacing(os.path.join(target, name)) as path, open(path, "wb") as out:
            shutil.copyfileobj(file, out, PIECE)
    for name, folder in folders.items():
        for relative, source in files_below(folder):
            place = os.path.join(target, name, relative)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with replacing(place) as path:
                shutil.copyfile(source, path)
    for name, text in texts.items():
        with replacing(os.path.join(target, name)) as path, open(path, "w", encoding="utf8") as out:
            out.write(text)


def files_below(folder: str) -> list[tuple[str, str]]:
    """(slash-separated relative path, path) of every file below a folder, in a fixed order."""
    found = []
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(place, name)
            found.append((os.path.relpath(path, folder).replace(os.sep, "/"), path))
    return found


# -- reading ----------------------------------------------------------------------------------------------------------


class ZipArchive:
    """A zip archive that is being read. Members are checked when it is opened, before any is read."""

    def __init__(self, source: str | os.PathLike | BinaryIO, name: str | None = None):
        self.name = name or str(source)
        self._own = not hasattr(source, "read")
        self._file: BinaryIO = open(source, "rb") if self._own else source  # type: ignore[arg-type, assignment]
        try:
            self._zip = zipfile.ZipFile(self._file)
            self._members = _checked_members(self._zip, self.name)
        except BaseException as e:
            self.close()
            if isinstance(e, _zip_errors()):
                raise ValueError(
                    f"{self.name!r} can't be read as a `.keras` file: it is no zip archive, cut short or damaged ({e})."
                ) from e
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        if self._own:
            self._file.close()

    def __contains__(self, name: str) -> bool:
        """Whether there is a member of this name, or one below it."""
        return name in self._members or any(m.startswith(name + "/") for m in self._members)

    def read(self, name: str) -> bytes:
        """A member's bytes, their checksum checked."""
        try:
            return self._zip.read(self._member(name))
        except _zip_errors() as e:
            raise ValueError(f"Member {name!r} of {self.name!r} is damaged ({e}).") from e

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """A member as a binary file that can be sought. One that is not compressed is read in place."""
        info = self._member(name)
        if info.compress_type == zipfile.ZIP_STORED:
            file: Any = _Part(self._file, _start_of(self._file, info, self.name), info.file_size)
            crc = 0
            while piece := file.read(PIECE):
                crc = zlib.crc32(piece, crc)
            if crc != info.CRC:
                raise ValueError(f"Member {name!r} of {self.name!r} is damaged: its checksum is wrong.")
            file.seek(0)
            yield file
            return
        with scratch_file() as file:
            try:
                with self._zip.open(info) as member:
                    shutil.copyfileobj(member, file, PIECE)
            except _zip_errors() as e:
                raise ValueError(f"Member {name!r} of {self.name!r} is damaged ({e}).") from e
            file.seek(0)
            yield file

    def extract(self, prefix: str, folder: str) -> str:
        """Unpack the members below `prefix/` into an empty folder; returns the path of the unpacked prefix."""
        top = os.path.join(folder, prefix)
        os.makedirs(top, exist_ok=True)
        for name in self._members:
            if name.startswith(prefix + "/"):
                path = os.path.join(folder, *name.split("/"))
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with self.open(name) as source, open(path, "xb") as out:
                    shutil.copyfileobj(source, out, PIECE)
        return top

    def _member(self, name: str) -> Any:
        if name not in self._members:
            raise ValueError(
                f"{self.name!r} is not a `.keras` file: it has no {name!r}. It has: {sorted(self._members)[:8]}"
            )
        return self._members[name]


class FolderArchive:
    """A folder that holds what a `.keras` file holds; the same interface as ZipArchive."""

    def __init__(self, path: str | os.PathLike):
        self.name = str(path)
        self._top = os.path.realpath(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def __contains__(self, name: str) -> bool:
        path = os.path.join(self._top, name)
        return os.path.isfile(path) or bool(files_below(path))

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            return file.read()

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        path = os.path.join(self._top, name)
        if not os.path.isfile(path):
            raise ValueError(f"The folder {self.name!r} holds no model: it has no {name!r}.")
        with open(path, "rb") as file:
            yield file

    def extract(self, prefix: str, folder: str) -> str:
        """Copy what is below `prefix/` into an empty folder; returns the path of the copy."""
        top = os.path.join(self._top, prefix)
        target = os.path.join(folder, prefix)
        os.makedirs(target, exist_ok=True)
        for relative, path in files_below(top):
            if not os.path.realpath(path).startswith(self._top + os.sep):
                raise UnsafeFileError(
                    f"{relative!r} in {top!r} is a link that leads out of the model's folder, to "
                    f"{os.path.realpath(path)!r}. Put the file itself there if it belongs to the model."
                )
            place = os.path.join(target, *relative.split("/"))
            os.makedirs(os.path.dirname(place), exist_ok=True)
            shutil.copyfile(path, place)
        return target


def is_zip(source: Any) -> bool:
    """Whether a path or a binary file holds a zip archive."""
    try:
        return zipfile.is_zipfile(source)
    except OSError:
        return False


def _checked_members(archive: Any, file: str) -> dict[str, Any]:
    """The members by name, without the entries that only name folders."""
    members: dict[str, Any] = {}
    end = 0
    for info in sorted(archive.infolist(), key=lambda i: i.header_offset):
        name = info.orig_filename
        where = f"Member {name!r} of {file!r}"
        parts = name.split("/")
        is_folder = name.endswith("/")
        if is_folder:
            parts.pop()
        if "\0" in name or "\\" in name or ":" in parts[0] or any(p in ("", ".", "..") for p in parts):
            raise UnsafeFileError(f"{where} has a name that leads out of the archive or means nothing.")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise UnsafeFileError(f"{where} is a link or a device, not a file.")
        if info.flag_bits & 0x1:
            raise UnsafeFileError(f"{where} is encrypted.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnsafeFileError(
                f"{where} is compressed in a way that is not understood (method {info.compress_type}). Understood: "
                "stored and deflated."
            )
        if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
            raise UnsafeFileError(f"{where} claims {info.file_size} bytes and holds {info.compress_size}.")
        if info.file_size > EXPANSION_FLOOR and info.file_size > MOST_EXPANSION * info.compress_size:
            raise UnsafeFileError(
                f"{where} claims {info.file_size} bytes, of which {info.compress_size} are stored: unpacking it would "
                "fill the memory."
            )
        # members that share their bytes make a small archive unpack to a giant one
        if info.header_offset < end:
            raise UnsafeFileError(f"{where} overlaps the one before it.")
        encoding = "utf8" if info.flag_bits & 0x800 else "cp437"
        end = info.header_offset + 30 + len(name.encode(encoding, "replace")) + info.compress_size
        if is_folder:
            continue
        if name in members:
            raise UnsafeFileError(f"{file!r} holds two members of the name {name!r}.")
        members[name] = info
    claimed = sum(info.file_size for info in members.values())
    stored = sum(info.compress_size for info in members.values())
    if claimed > EXPANSION_FLOOR + MOST_EXPANSION * stored:
        raise UnsafeFileError(f"The members of {file!r} claim {claimed} bytes together, of which {stored} are stored.")
    return members


def _start_of(file: BinaryIO, info: Any, archive: str) -> int:
    """Where a stored member's bytes begin; its own header must agree with the archive's table."""
    file.seek(info.header_offset)
    header = file.read(30)
    if len(header) != 30 or header[:4] != b"PK\x03\x04":
        raise UnsafeFileError(f"Member {info.filename!r} of {archive!r} has no header where the archive says it is.")
    flags, method, name_size, extra_size = (struct.unpack_from("<H", header, at)[0] for at in (6, 8, 26, 28))
    name = file.read(name_size).decode("utf8" if flags & 0x800 else "cp437")
    if name != info.orig_filename or method != info.compress_type:
        raise UnsafeFileError(f"Member {info.filename!r} of {archive!r} calls itself {name!r} in its own header.")
    return info.header_offset + 30 + name_size + extra_size


class _Part(io.RawIOBase):
    """A stretch of a binary file as a file of its own, without a copy."""

    def __init__(self, file: BinaryIO, start: int, size: int):
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._size - self._at))
        self._file.seek(self._start + self._at)
        data = self._file.read(count)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


Archive = ZipArchive | FolderArchive
