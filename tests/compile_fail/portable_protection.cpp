// expect-error: protection_exists_on_linux_only
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
inline constexpr auto p = nono::caps().target(nono::portable).lift(nono::protection::keyring);
#else
inline constexpr auto p = nono::caps().target(nono::portable).lift(nono::protection::ipc);
#endif
