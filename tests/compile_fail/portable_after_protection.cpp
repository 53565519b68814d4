// expect-error: protection_exists_on_linux_only
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().best_effort(nono::protection::io_uring).target(nono::portable);
#else
inline constexpr auto p = nono::caps().best_effort(nono::protection::io_uring).target(nono::linux_only);
#endif
