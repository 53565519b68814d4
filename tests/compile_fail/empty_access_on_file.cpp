// expect-error: allow_file<\.\.\.> grants nothing
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().allow_file<nono::no_rights>("/data");
#else
auto p = nono::caps().allow_file<nono::read>("/data");
#endif
