// expect-error: variable_must_be_the_first_part_of_a_path
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().allow_path<nono::read>("/data/$HOME");
#else
auto p = nono::caps().allow_path<nono::read>("$HOME/data");
#endif
