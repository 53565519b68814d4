// expect-error: path_must_not_contain_parent_part
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().allow_path<nono::read>("/data/../etc");
#else
auto p = nono::caps().allow_path<nono::read>("/data/..etc");
#endif
