// expect-error: variable_must_be_declared_once
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().variable("$DATA").variable("$DATA");
#else
inline constexpr auto p = nono::caps().variable("$DATA").variable("$DATA_2");
#endif
