// expect-error: path_must_be_absolute
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().allow_path<nono::read>("data");
#else
auto p = nono::caps().allow_path<nono::read>("/data");
#endif
