// expect-error: network\(hosts\) needs the runner of the nono command
#include <nono/caps.hpp>
#include <nono/supervisor.hpp>
#ifdef EXPECT_ERROR
void start() { (void)nono::caps().network(nono::hosts{"api.example.com"}).spawn_supervised({"true"}); }
#else
void start() { (void)nono::caps().network(nono::loopback).spawn_supervised({"true"}); }
#endif
