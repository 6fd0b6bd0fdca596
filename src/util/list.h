#pragma once
/* Intrusive doubly linked list; a node is in one list at most, and links to itself when in none. */
#include <stdbool.h>
#include <stddef.h>

typedef struct ListNode {
        struct ListNode *prev, *next;
} ListNode;

#define list_entry(node, type, member) ((type *) (void *) ((char *) (node) -offsetof(type, member)))

static inline void list_init(ListNode *n)
{
        n->prev = n->next = n;
}
static inline bool list_empty(const ListNode *n)
{
        return n->next == n;
}
static inline void list_remove(ListNode *n)
{
        n->prev->next = n->next;
        n->next->prev = n->prev;
        list_init(n);
}
static inline void list_append(ListNode *head, ListNode *n)
{
        n->prev = head->prev;
        n->next = head;
        head->prev->next = n;
        head->prev = n;
}
