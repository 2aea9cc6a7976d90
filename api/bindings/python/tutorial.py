"""A tour of Gaur from Python: builds a function, runs it, stops in a trap, looks at what is kept alive there, and goes on.

    python3 api/bindings/python/tutorial.py
"""
import ctypes

import gaur

with gaur.VM() as vm, vm.context() as context:

    # 1. Building. A bundle is a set of definitions; each has an ID, which the builder makes. Values live in one basic block and travel to the
    #    next as arguments, so a loop variable is a parameter of the loop's block.
    with context.builder() as b:
        i64 = b.type_int(64, name="@i64")
        sig = b.funcsig([i64], [i64])
        zero, one = b.const_int(i64, 0), b.const_int(i64, 1)
        total = b.func(sig, name="@sum_of_squares")
        entry, loop, body, end = b.block([i64]), b.block([i64, i64, i64]), b.block([i64, i64, i64]), b.block([i64])

        entry.branch_to(loop, [entry[0], zero, one])

        n, sum_so_far, i = loop.parameters
        finished = loop.cmp(gaur.CMP_SGT, i64, i, n)
        loop.branch2(finished, b.dest(end, [sum_so_far]), b.dest(body, [n, sum_so_far, i]))

        n, sum_so_far, i = body.parameters
        square = body.binop(gaur.BINOP_MUL, i64, i, i)
        larger = body.binop(gaur.BINOP_ADD, i64, sum_so_far, square)
        # A trap hands over to the client. It keeps i and the sum alive for it, and goes on with the value that the client gives.
        again = body.trap([i64], 0, b.keepalive_clause([i, larger]))
        following = body.binop(gaur.BINOP_ADD, i64, i, one)
        body.branch_to(loop, [n, again, following])

        end.ret([end[0]])
        b.version(total, [entry, loop, body, end])
        b.exp_func(total, gaur.CC_DEFAULT, zero, name="@sum_of_squares.native")
    print("built", vm.name(total))

    # 2. Trapping. The handler runs on the thread that trapped; the stack waits and can be looked into.
    def watch(trap):
        with trap.stack.cursor() as frame:
            i, so_far = (value.to_int() for value in frame.keepalives(2))
            print(f"  in {vm.name(frame.function)}: i = {i}, sum = {so_far}")
        trap.resume(trap.context.int(so_far))
    vm.on_trap(watch)

    # 3. Running. An exposed function is a C function; ctypes calls it.
    sum_of_squares = context.native("@sum_of_squares.native", ctypes.c_int64, ctypes.c_int64)
    print("1 + 4 + 9 =", sum_of_squares(3))

    # 4. Changing what runs: the handler may give back what it likes.
    vm.on_trap(lambda trap: trap.resume(trap.context.int(1000)))
    print("with another handler:", sum_of_squares(3))

    # 5. Mistakes are exceptions that tell what is wrong.
    try:
        context.id("@nobody")
    except gaur.Error as error:
        print(error)
