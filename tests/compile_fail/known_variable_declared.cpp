// expect-error: variable_is_known_without_declaring_it
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().variable("$HOME");
#else
inline constexpr auto p = nono::caps().variable("$HOMES");
#endif
