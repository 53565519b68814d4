// expect-error: path_must_not_be_empty
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().deny_path("");
#else
auto p = nono::caps().deny_path("/");
#endif
