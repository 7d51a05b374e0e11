"""Trains a Caffe solver on the CPU, or on several graphics cards with one process for each. Usable as a main file."""

import time
from multiprocessing import Process

from uaitrain.arch.caffe.arguments import make_parser


def train(args):
    """Trains to the end. `args`: what `make_parser` gives."""
    import caffe

    caffe.init_log()
    if args.use_cpu:
        caffe.set_mode_cpu()
        solver = caffe.SGDSolver(args.solver)
        if args.snapshot:
            solver.restore(args.snapshot)
        solver.solve()
        return
    uid = caffe.NCCL.new_uid()
    processes = [Process(target=_train_on_card, args=(args, uid, rank)) for rank in range(max(1, args.num_gpus))]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    failed = [process.exitcode for process in processes if process.exitcode != 0]
    if failed:
        raise SystemExit(failed[0])


def _train_on_card(args, uid, rank):
    import caffe

    count = max(1, args.num_gpus)
    caffe.set_mode_gpu()
    caffe.set_device(rank)
    caffe.set_solver_count(count)
    caffe.set_solver_rank(rank)
    caffe.set_multiprocess(True)
    solver = caffe.SGDSolver(args.solver)
    if args.snapshot:
        solver.restore(args.snapshot)
    nccl = caffe.NCCL(solver, uid)
    nccl.bcast()
    solver.add_callback(nccl)
    if solver.param.layer_wise_reduce:
        solver.net.after_backward(nccl)
    if not (args.timing and rank == 0):
        solver.step(solver.param.max_iter)
        return
    for iteration in range(solver.param.max_iter):
        started = time.time()
        solver.step(1)
        print("iteration=%d seconds=%.4f" % (iteration, time.time() - started))


if __name__ == "__main__":
    train(make_parser().parse_args())
