#!/bin/sh
# Makes a boot image of libffi.uir: build.sh GAUR IMAGE. Each --reloc names the symbol whose address a field of a global cell gets at every start.
set -eu
gaur=$1 image=$2 folder=$(dirname "$0")
set -- --reloc=@output=stdout --reloc=@int=ffi_type_sint32
index=0
for type in void uint8 sint8 uint16 sint16 uint32 sint32 uint64 sint64 float double pointer; do
  set -- "$@" "--reloc=@types[$index]=ffi_type_$type"
  index=$((index + 1))
done
for field in "@pair.elements[0]" "@pair.elements[1]" "@ldiv.types[0]" "@ldiv.types[1]" "@print.types[2]" "@print.types[3]"; do
  set -- "$@" "--reloc=$field=ffi_type_sint64"
done
for field in "@print.types[0]" "@print.types[1]"; do
  set -- "$@" "--reloc=$field=ffi_type_pointer"
done
exec "$gaur" build "$folder/libffi.uir" -o "$image" --lib libffi.so.8 --init @prepare --entry @main --uptr=error "$@"
