// Offsets that the assembly of the runtime needs, as plain numbers: included by .S files and, beside the
// structs, by C++, which checks them.
#pragma once

// ThreadBlock
#define GAUR_BLOCK_STACK                528
#define GAUR_BLOCK_NATIVE_STACK_POINTER 536
#define GAUR_BLOCK_LEFT_FRAME_POINTER   544
#define GAUR_BLOCK_STACKS               584
#define GAUR_BLOCK_VM                   592
#define GAUR_BLOCK_HOST_STACK           600

// Of the thread pointer of x86-64, to the word that refers to the block
#define GAUR_CURRENT_THREAD_WORD 0x68

// StackObject
#define GAUR_STACK_SAVED_POINTER 0
#define GAUR_STACK_TOP           8
#define GAUR_STACK_VALUE_MEMORY  16
#define GAUR_STACK_LIMIT         24
#define GAUR_STACK_LEFT_POINTER  48
#define GAUR_STACK_IS_SHARED     68

// ExposedFunctionData
#define GAUR_EXPOSED_ADAPTER      16
#define GAUR_EXPOSED_VM           24
#define GAUR_EXPOSED_HOST_ADAPTER 32

// StackTable
#define GAUR_STACK_SLOT_SHIFT 18

// ResumeImage
#define GAUR_IMAGE_WORDS     0
#define GAUR_IMAGE_VECTORS   16
#define GAUR_IMAGE_EXCEPTION 48
#define GAUR_IMAGE_THROWS    56

// LinkedExport and LinkedImage
#define GAUR_EXPORT_IMAGE 8
#define GAUR_LINKED_BIND  8

// HostRecord
#define GAUR_HOST_CODE        0
#define GAUR_HOST_ENVIRONMENT 8
#define GAUR_HOST_STACK_BYTES 40

// NativeSlot
#define GAUR_NATIVE_SLOT_ADDRESS 0
#define GAUR_NATIVE_SLOT_TARGET  8
#define GAUR_NATIVE_SLOT_OWN     16
