// expect-error: allow_file<\.\.\.> with a directory right
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().allow_file<nono::right::list>("/data/file");
#else
auto p = nono::caps().allow_file<nono::right::read_file>("/data/file");
#endif
