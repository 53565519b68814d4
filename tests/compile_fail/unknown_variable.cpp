// expect-error: variable_must_be_declared
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().allow_path<nono::read>("$DATA/in");
#else
inline constexpr auto p = nono::caps().variable("$DATA").allow_path<nono::read>("$DATA/in");
#endif
