select 'a;''b', E'\';', e'x'
'\'', B'1', x'F', N'n', U&'\0061', u&"d" uescape '!', "a""b" from t$a; select $1, $$;$$, $t_1$;$x$;$t_1$;
