"""A folder of migrations."""
import os
import shutil
import zlib


class Migrations:
    def __init__(self, folder):
        self.folder = str(folder)
        os.makedirs(self.folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, files=None, **more):
        """Writes files: {name: text or bytes}. Returns self."""
        for name, content in {**(files or {}), **more}.items():
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            with open(self.path(name), "wb") as f:
                f.write(content if isinstance(content, bytes) else content.encode())
        return self

    def remove(self, name):
        os.unlink(self.path(name))

    def vanish(self):
        shutil.rmtree(self.folder)

    def checksum(self, name):
        with open(self.path(name), "rb") as f:
            return flyway_checksum(f.read())


def flyway_checksum(content):
    """Flyway's: CRC-32 of the text without a leading byte-order mark and without CR and LF, as a signed number."""
    content = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"").replace(b"\n", b"")
    crc = zlib.crc32(content)
    return crc - (1 << 32) if crc >= 1 << 31 else crc
