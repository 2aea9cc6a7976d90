// The command by its command line.
#pragma once

extern "C" {
/// Does what the words say, and returns the exit status.
int gaurCommandLine(int argc, char** argv);
}
