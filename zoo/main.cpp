#include <string>
#include <vector>

#include "zoo/cli/cli.h"

int main(int argc, char** argv) {
  return tarsier::zoo::run_program(std::vector<std::string>(argv + 1, argv + argc));
}
