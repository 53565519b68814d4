// expect-error: policy_has_more_rules_than_room
#include <nono/combine.hpp>
inline constexpr auto p = nono::caps().allow_path<nono::read>("/a");
inline constexpr auto q = nono::caps().allow_path<nono::read>("/b");
#ifdef EXPECT_ERROR
inline constexpr auto u = nono::union_of<1>(p, q);
#else
inline constexpr auto u = nono::union_of<2>(p, q);
#endif
