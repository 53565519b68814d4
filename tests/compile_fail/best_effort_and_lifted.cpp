// expect-error: protection_must_not_be_both_lifted_and_best_effort
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().best_effort(nono::protection::ipc).lift(nono::protection::ipc);
#else
inline constexpr auto p = nono::caps().best_effort(nono::protection::network).lift(nono::protection::ipc);
#endif
