Prints the alphabet forwards and backwards
26 in the first cell and 64 in the third
+++++[>+++++<-]>+[<+>-]
++++++++[>++++++++<-]
forwards: from one letter to the next before each is printed
<[>>+.<<->+<]
26 is in the second cell now: a space from 32 in the fourth
>>>++++[>++++++++<-]>.
backwards: each is printed before the one below it is reached
<<<[>.-<-]
a line ends with 10
++++++++++.
