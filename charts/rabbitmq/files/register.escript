#!/usr/bin/env escript
%% Before a member boots: `register.escript DIRECTORY...`, one for each Raft system of the member (queues, metadata).
%%
%% Which log belongs to which name stands in `names.dets`, and the broker keeps changes of that file in memory until it
%% has not touched it for half a second. A member that is killed sooner boots without the names of its newest queues,
%% and starts their copies anew, with no log and no memory of its votes: queues that were declared just before all
%% members were killed would be lost, with what was confirmed to them. The logs themselves are there, and each says in
%% its own file `config`, synced before the first entry, whose it is. So the names are put back.
%%
%% A name that is registered is left as it is. Two logs of one name can only be a queue that was deleted and declared
%% again: the younger one is its. A file that cannot be read is put aside and written anew.

main(Directories) ->
    lists:foreach(fun repair/1, Directories).

repair(Directory) ->
    File = filename:join(Directory, "names.dets"),
    Logs = lists:sort(lists:flatmap(fun log/1, filelib:wildcard(filename:join([Directory, "*", "config"])))),
    case {filelib:is_regular(File), Logs} of
        {false, []} -> ok; % it has never run
        _ -> register_all(File, Logs)
    end.

%% What the `config` of a log says: when it was written, its name and its identity, which is its directory's.
log(Config) ->
    UId = list_to_binary(filename:basename(filename:dirname(Config))),
    {ok, Bytes} = file:read_file(Config),
    try
        {ok, Tokens, _} = erl_scan:string(binary_to_list(Bytes)),
        {ok, #{uid := UId, id := {Name, _}}} = erl_parse:parse_term(Tokens),
        [{filelib:last_modified(Config), Name, UId}]
    catch
        error:{badmatch, _} ->
            say("~ts cannot be read; its log is left alone", [Config]),
            []
    end.

register_all(File, Logs) ->
    ok = open(File),
    Lost = [{Name, UId} || {_, Name, UId} <- Logs, not dets:member(names, Name)],
    ok = dets:insert(names, Lost), % of two with one name the later one stays
    ok = dets:close(names),
    [say("~ts was not in ~ts; its log ~ts was", [Name, File, UId]) || {Name, UId} <- Lost],
    ok.

open(File) ->
    case dets:open_file(names, [{file, File}]) of
        {ok, names} ->
            ok;
        {error, Reason} ->
            say("~ts cannot be read (~p); it is written anew", [File, Reason]),
            ok = file:rename(File, File ++ ".unreadable"),
            {ok, names} = dets:open_file(names, [{file, File}]),
            ok
    end.

say(Format, Arguments) ->
    io:format("register: " ++ Format ++ "~n", Arguments).
