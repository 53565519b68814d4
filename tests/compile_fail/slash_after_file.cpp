// expect-error: path_of_a_file_must_not_end_with_a_slash
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().allow_file<nono::read>("/etc/hosts/");
#else
auto p = nono::caps().allow_file<nono::read>("/etc/hosts");
#endif
