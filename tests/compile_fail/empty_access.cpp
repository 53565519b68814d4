// expect-error: allow_path<\.\.\.> grants nothing
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().allow_path<nono::no_rights>("/data");
#else
auto p = nono::caps().allow_path<nono::read>("/data");
#endif
