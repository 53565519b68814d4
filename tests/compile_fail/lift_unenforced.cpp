// expect-error: protection_is_enforced_by_no_kernel
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().lift(nono::protection::names);
#else
inline constexpr auto p = nono::caps().lift(nono::protection::metadata);
#endif
