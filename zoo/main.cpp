#include <string>
#include <vector>

#include "zoo/cli/cli.h"

int main(int argc, char** argv) {
  if (argc < 1) return 2;
  return tarsier::zoo::run_program(argv[0], std::vector<std::string>(argv + 1, argv + argc));
}
