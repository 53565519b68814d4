// expect-error: policy_has_more_than_32_groups
#include <nono/caps.hpp>
inline constexpr nono::group many[33] = {};
constexpr auto with_groups(int n) {
  auto p = nono::caps();
  for (int i = 0; i < n; ++i) p = p.group(many[i]);
  return p;
}
#ifdef EXPECT_ERROR
inline constexpr auto p = with_groups(33);
#else
inline constexpr auto p = with_groups(32);
#endif
