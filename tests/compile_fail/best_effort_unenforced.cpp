// expect-error: protection_is_enforced_by_no_kernel
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().best_effort(nono::protection::names);
#else
inline constexpr auto p = nono::caps().best_effort(nono::protection::network);
#endif
