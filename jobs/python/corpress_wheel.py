"""Makes the wheel for pip: files in a zip archive. So pip needs nothing but this file, and no
network. The interface is that of PEP 517 and PEP 660.
"""

import base64
import hashlib
import io
import os
import re
import tarfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = "corpress"
IN_WHEEL = (".py", ".typed")


def _read(*path):
    with open(os.path.join(HERE, *path), "rb") as file:
        return file.read()


def _version():
    return re.search(rb'^VERSION = "(.*)"$', _read(PACKAGE, "_version.py"), re.M)[1].decode()


def _metadata():
    return (f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {_version()}\n"
            "Summary: Reads corpress archives: files, documents, and any range of bytes\n"
            "License: BSD-3-Clause\nRequires-Python: >=3.9\n"
            "Description-Content-Type: text/markdown\n\n").encode() + _read("README.md")


def _sources():
    return sorted(name for name in os.listdir(os.path.join(HERE, PACKAGE))
                  if name.endswith(IN_WHEEL))


def _write_wheel(folder, files):
    """A wheel of these files, pairs of name and bytes, and what describes them."""
    info = f"{PACKAGE}-{_version()}.dist-info"
    wheel = b"Wheel-Version: 1.0\nGenerator: corpress\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = [*files, (f"{info}/METADATA", _metadata()), (f"{info}/WHEEL", wheel)]
    rows = []
    for name, data in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(data)}\n")
    rows.append(f"{info}/RECORD,,\n")
    result = f"{PACKAGE}-{_version()}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, result), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [*files, (f"{info}/RECORD", "".join(rows).encode())]:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return result


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """What `pip install` and `pip wheel` call."""
    del config_settings, metadata_directory
    return _write_wheel(wheel_directory,
                        [(f"{PACKAGE}/{name}", _read(PACKAGE, name)) for name in _sources()])


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """What `pip install -e` calls: a wheel that leads here."""
    del config_settings, metadata_directory
    return _write_wheel(wheel_directory, [(f"{PACKAGE}.pth", os.fsencode(HERE + "\n"))])


def build_sdist(sdist_directory, config_settings=None):
    """What `python -m build` calls first."""
    del config_settings
    root = f"{PACKAGE}-{_version()}"
    with tarfile.open(os.path.join(sdist_directory, root + ".tar.gz"), "w:gz") as archive:
        for name in ["pyproject.toml", "README.md", os.path.basename(__file__),
                     *(os.path.join(PACKAGE, source) for source in _sources())]:
            archive.add(os.path.join(HERE, name), os.path.join(root, name))
        info = tarfile.TarInfo(f"{root}/PKG-INFO")
        data = _metadata()
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return root + ".tar.gz"
