// expect-error: network\(hosts\) needs the runner of the nono command
#include <nono/caps.hpp>
#include <nono/spawn.hpp>
#ifdef EXPECT_ERROR
void start() { (void)nono::caps().network(nono::hosts{"api.example.com"}).spawn({"true"}); }
#else
void start() { (void)nono::caps().network(nono::loopback).spawn({"true"}); }
#endif
