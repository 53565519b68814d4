// expect-error: protection_cannot_be_lifted_or_no_filter_means_anything
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().lift(nono::protection::foreign_abi);
#else
inline constexpr auto p = nono::caps().lift(nono::protection::ipc);
#endif
