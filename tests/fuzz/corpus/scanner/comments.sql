-- one ;
/* two /* ; */ */ select 1 +--;
 2 */* c */ 3;;;
\restrict k
select 4 -- end