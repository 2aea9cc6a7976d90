#include "api/ir_builder.h"

namespace gaur::api {

namespace {

// The numbers of the header are those of the tables of the IR, in the same order.

template <class T, std::size_t n>
constexpr bool areNumbersOf(const MuFlag (&header)[n], const T (&table)[n]) {
  for (std::size_t i = 0; i < n; ++i)
    if (header[i] != static_cast<MuFlag>(table[i])) return false;
  return true;
}

constexpr MuFlag kBinOps[] = {MU_BINOP_ADD,  MU_BINOP_SUB,  MU_BINOP_MUL, MU_BINOP_SDIV, MU_BINOP_SREM,
                              MU_BINOP_UDIV, MU_BINOP_UREM, MU_BINOP_SHL, MU_BINOP_LSHR, MU_BINOP_ASHR,
                              MU_BINOP_AND,  MU_BINOP_OR,   MU_BINOP_XOR, MU_BINOP_FADD, MU_BINOP_FSUB,
                              MU_BINOP_FMUL, MU_BINOP_FDIV, MU_BINOP_FREM};
constexpr MuFlag kCmpOps[] = {MU_CMP_EQ,   MU_CMP_NE,   MU_CMP_SGE,  MU_CMP_SGT,  MU_CMP_SLE,    MU_CMP_SLT,
                              MU_CMP_UGE,  MU_CMP_UGT,  MU_CMP_ULE,  MU_CMP_ULT,  MU_CMP_FFALSE, MU_CMP_FTRUE,
                              MU_CMP_FUNO, MU_CMP_FUEQ, MU_CMP_FUNE, MU_CMP_FUGT, MU_CMP_FUGE,   MU_CMP_FULT,
                              MU_CMP_FULE, MU_CMP_FORD, MU_CMP_FOEQ, MU_CMP_FONE, MU_CMP_FOGT,   MU_CMP_FOGE,
                              MU_CMP_FOLT, MU_CMP_FOLE};
constexpr MuFlag kConvOps[] = {MU_CONV_TRUNC,  MU_CONV_ZEXT,    MU_CONV_SEXT,    MU_CONV_FPTRUNC,
                               MU_CONV_FPEXT,  MU_CONV_FPTOUI,  MU_CONV_FPTOSI,  MU_CONV_UITOFP,
                               MU_CONV_SITOFP, MU_CONV_BITCAST, MU_CONV_REFCAST, MU_CONV_PTRCAST};
constexpr MuFlag kOrders[] = {MU_ORD_NOT_ATOMIC, MU_ORD_RELAXED, MU_ORD_CONSUME, MU_ORD_ACQUIRE,
                              MU_ORD_RELEASE,    MU_ORD_ACQ_REL, MU_ORD_SEQ_CST};
constexpr MuFlag kRmwOps[] = {MU_ARMW_XCHG, MU_ARMW_ADD, MU_ARMW_SUB, MU_ARMW_AND,  MU_ARMW_NAND, MU_ARMW_OR,
                              MU_ARMW_XOR,  MU_ARMW_MAX, MU_ARMW_MIN, MU_ARMW_UMAX, MU_ARMW_UMIN};
constexpr MuFlag kConventions[] = {MU_CC_DEFAULT};
constexpr MuFlag kStatusBits[] = {MU_BOS_N, MU_BOS_Z, MU_BOS_C, MU_BOS_V};

constexpr ir::BinOperator kIrBinOps[] = {
#define GAUR_BINOP(Name, Text, Code, Class) ir::BinOperator::Name,
#include "vm/ir/operators.def"
};
constexpr ir::CmpOperator kIrCmpOps[] = {
#define GAUR_CMPOP(Name, Text, Code, Class) ir::CmpOperator::Name,
#include "vm/ir/operators.def"
};
constexpr ir::ConvOperator kIrConvOps[] = {
#define GAUR_CONVOP(Name, Text, Code) ir::ConvOperator::Name,
#include "vm/ir/operators.def"
};
constexpr ir::MemoryOrder kIrOrders[] = {
#define GAUR_ORDER(Name, Text, Code) ir::MemoryOrder::Name,
#include "vm/ir/operators.def"
};
constexpr ir::RmwOperator kIrRmwOps[] = {
#define GAUR_RMWOP(Name, Text, Code) ir::RmwOperator::Name,
#include "vm/ir/operators.def"
};
constexpr ir::CallConv kIrConventions[] = {
#define GAUR_CALLCONV(Name, Text, Code) ir::CallConv::Name,
#include "vm/ir/operators.def"
};
static_assert(areNumbersOf(kBinOps, kIrBinOps));
static_assert(areNumbersOf(kCmpOps, kIrCmpOps));
static_assert(areNumbersOf(kConvOps, kIrConvOps));
static_assert(areNumbersOf(kOrders, kIrOrders));
static_assert(areNumbersOf(kRmwOps, kIrRmwOps));
static_assert(areNumbersOf(kConventions, kIrConventions));
static_assert(areNumbersOf(kStatusBits, ir::kStatusFlags));

}  // namespace

IrBuilder::IrBuilder(Machine& machine) : table_(kBuilderTable), machine_(machine), builder_(machine.vm()) {
  table_.header = this;
}

Result<void> IrBuilder::end(Result<void> outcome) {
  const bool hadEnded = !outcome && (outcome.error().id == ErrorId::ApiBuilderEnded ||
                                     outcome.error().id == ErrorId::ApiBuilderBusy);
  if (!hadEnded) machine_.giveBack(*this);
  return outcome;
}

}  // namespace gaur::api
