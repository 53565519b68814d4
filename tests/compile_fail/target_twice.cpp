// expect-error: target_must_be_given_once
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().target(nono::portable).target(nono::linux_only);
#else
inline constexpr auto p = nono::caps().target(nono::portable);
#endif
