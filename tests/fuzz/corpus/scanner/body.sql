create or replace function f(a int) returns int begin atomic select case when a > 1 then 2 else t.end end; insert into t values (1); end;
select 2;