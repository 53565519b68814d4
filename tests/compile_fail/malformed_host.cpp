// expect-error: host_must_be_labels_of_letters_digits_and_inner_hyphens
#include <nono/caps.hpp>
#ifdef EXPECT_ERROR
auto p = nono::caps().network(nono::hosts{"api.example.com."});
#else
auto p = nono::caps().network(nono::hosts{"api.example.com"});
#endif
