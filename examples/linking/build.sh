#!/bin/sh
# Makes a program of main.c and an image of primes.uir: build.sh GAUR PROGRAM [options of cc that find libgaur].
set -eu
gaur=$1 program=$2 folder=$(dirname "$0")
shift 2
"$gaur" build "$folder/primes.uir" --root @nth_prime --init @sieve -o "$program.o"
cc "$folder/main.c" "$program.o" -o "$program" "$@" -lgaur
