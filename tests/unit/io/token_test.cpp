#include <doctest/doctest.h>

#include <initializer_list>

#include "engine/io/token.hpp"

using millrace::io::Op;
using millrace::io::Token;

TEST_CASE("Token: its parts come back, and do not touch each other") {
  for (const Op op : {Op::none, Op::accept, Op::recv, Op::send, Op::hangup, Op::wake}) {
    for (const std::uint32_t generation : {0u, 1u, 0xff'ffffu}) {
      for (const std::uint32_t slot : {0u, 1u, 0xffff'ffffu}) {
        const Token token(op, generation, slot);
        CHECK(token.op() == op);
        CHECK(token.generation() == generation);
        CHECK(token.slot() == slot);
        CHECK(Token::from_bits(token.bits()) == token);
      }
    }
  }
  CHECK(Token(Op::recv, 0x100'0000, 3) == Token(Op::recv, 0, 3));
}
