#!/usr/bin/env bash
# Builds src/images/compress/deflate-wasm.ts from libdeflate's C sources. Needed only when the compressor itself changes: the
# result is committed, because its bytes decide the bytes of every gzip layer. With --check it builds and compares.
# Needs cargo (it only unpacks the sources), python3, patch and sha256sum. The compiler is a pinned zig from a Python wheel;
# ZIG_PYTHON names a Python that has it already.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
target="$here/../deflate-wasm.ts"
libdeflate=1.26.1
zig=0.17.0
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

python="${ZIG_PYTHON:-}"
if [ -z "$python" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check "ziglang==$zig"
  python="$work/venv/bin/python"
fi
mkdir -p "$work/crate/src"
printf '[package]\nname = "sources"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\nlibdeflate-sys = "=%s"\n' "$libdeflate" > "$work/crate/Cargo.toml"
touch "$work/crate/src/lib.rs"
(cd "$work/crate" && cargo vendor --quiet vendor > /dev/null)
cp -r "$work/crate/vendor/libdeflate-sys/libdeflate" "$work/libdeflate"
patch --quiet -p1 -d "$work/libdeflate" < "$here/libdeflate.patch"
cp "$here/deflate.c" "$work/libdeflate/deflate.c"

# Integer code only, no threads, no relaxed SIMD: what it computes is fixed by the WebAssembly specification.
(cd "$work/libdeflate" && ZIG_GLOBAL_CACHE_DIR="$work/zig" "$python" -m ziglang cc \
  -target wasm32-freestanding -O3 -mcpu=generic+bulk_memory+sign_ext+simd128 \
  -DFREESTANDING -nostdlib \
  -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=65536 \
  -o "$work/deflate.wasm" deflate.c)

digest="$(sha256sum "$work/deflate.wasm" | cut -d' ' -f1)"
{
  printf '// Made by src/images/compress/wasm/build.sh: libdeflate %s, zig %s, sha256 %s. Do not edit.\n' "$libdeflate" "$zig" "$digest"
  printf '/*!\n'; sed 's/^/ * /; s/ *$//' "$work/libdeflate/COPYING"; printf ' */\n'
  printf '/** The compressor as WebAssembly, in base64. Exports `memory`, `input`, `output` and `deflate`; imports nothing. */\n'
  printf 'export const DEFLATE_WASM_BASE64: string =\n  "%s";\n\n' "$(base64 -w0 "$work/deflate.wasm")"
  printf '/** Names the compressor in build records; changes whenever the compiled bytes do. */\n'
  printf 'export const DEFLATE_WASM_ID = "libdeflate-%s.%s";\n' "$libdeflate" "${digest:0:12}"
} > "$work/deflate-wasm.ts"

if [ "${1:-}" = --check ]; then
  cmp "$work/deflate-wasm.ts" "$target" && echo "the committed compressor is what the sources give"
else
  cp "$work/deflate-wasm.ts" "$target"
fi
