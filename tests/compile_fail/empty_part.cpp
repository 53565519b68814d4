// expect-error: path_must_not_contain_an_empty_or_dot_part
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().allow_path<nono::read>("/srv//data");
#else
auto p = nono::caps().allow_path<nono::read>("/srv/data//");
#endif
