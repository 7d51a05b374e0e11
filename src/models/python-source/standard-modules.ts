/** Top-level modules that every Python from 3.8 on brings. */
const ALWAYS = new Set(
  `
__future__ __main__ _thread abc argparse array ast asyncio atexit base64 bdb binascii bisect
builtins bz2 cProfile calendar cmath cmd code codecs codeop collections colorsys compileall
concurrent configparser contextlib contextvars copy copyreg csv ctypes curses dataclasses
datetime dbm decimal difflib dis doctest email encodings ensurepip enum errno faulthandler
fcntl filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt getpass
gettext glob grp gzip hashlib heapq hmac html http idlelib imaplib importlib inspect io
ipaddress itertools json keyword linecache locale logging lzma mailbox marshal math
mimetypes mmap modulefinder msvcrt multiprocessing netrc ntpath nturl2path numbers opcode
operator optparse os pathlib pdb pickle pickletools pkgutil platform plistlib poplib posix
posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue
quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors
shelve shlex shutil signal site smtplib socket socketserver sqlite3 sre_compile
sre_constants sre_parse ssl stat statistics string stringprep struct subprocess symtable sys
sysconfig syslog tabnanny tarfile tempfile termios textwrap threading time timeit tkinter
token tokenize trace traceback tracemalloc tty turtle types typing unicodedata unittest
urllib uuid venv warnings wave weakref webbrowser winreg winsound wsgiref xml xmlrpc zipapp
zipfile zipimport zlib
`.split(/\s+/),
);

/** Modules that left, by the minor version of Python 3 that has them no more. @see PEP 594, PEP 632 */
const GONE: Readonly<Record<string, number>> = {
  _dummy_thread: 9,
  aifc: 13,
  asynchat: 12,
  asyncore: 12,
  audioop: 13,
  binhex: 11,
  cgi: 13,
  cgitb: 13,
  chunk: 13,
  crypt: 13,
  distutils: 12,
  dummy_threading: 9,
  formatter: 10,
  imghdr: 13,
  imp: 12,
  lib2to3: 13,
  macpath: 8,
  mailcap: 13,
  msilib: 13,
  nis: 13,
  nntplib: 13,
  ossaudiodev: 13,
  parser: 10,
  pipes: 13,
  smtpd: 12,
  sndhdr: 13,
  spwd: 13,
  sunau: 13,
  symbol: 10,
  telnetlib: 13,
  uu: 13,
  xdrlib: 13,
};

/** Modules that came, by the first minor version that has them. */
const CAME: Readonly<Record<string, number>> = {
  annotationlib: 14,
  compression: 14,
  graphlib: 9,
  tomllib: 11,
  zoneinfo: 9,
};

/** True when Python of that version, such as `3.11`, brings the module itself. */
export function isStandardModule(name: string, pythonVersion: string): boolean {
  const minor = Number(pythonVersion.split(".")[1] ?? 0);
  if (ALWAYS.has(name) || name.startsWith("_")) return true;
  const [gone, came] = [GONE[name], CAME[name]];
  return (gone !== undefined && minor < gone) || (came !== undefined && minor >= came);
}
