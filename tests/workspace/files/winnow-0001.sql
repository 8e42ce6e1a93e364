-- The database of a workspace as revision 0001 (Winnow 0.1) wrote it. Never edit: it must open for ever.
BEGIN TRANSACTION;
CREATE TABLE about (
	"key" VARCHAR(60) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_about PRIMARY KEY ("key")
);
INSERT INTO "about" VALUES('winnow_version','0.1.0');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE climbs (
	id VARCHAR(40) NOT NULL, 
	dataset_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	spec TEXT NOT NULL, 
	spec_digest VARCHAR(64) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	verdict TEXT, 
	seconds FLOAT, 
	started VARCHAR(40) NOT NULL, 
	finished VARCHAR(40), 
	CONSTRAINT pk_climbs PRIMARY KEY (id), 
	CONSTRAINT fk_climbs_dataset_id FOREIGN KEY(dataset_id) REFERENCES datasets (id) ON DELETE CASCADE
);
INSERT INTO "climbs" VALUES('20261121T035714-1145cb',1,1,'{"seed": 0}','bd0488843468e63c62bb6d1df790f0a83de90616c0906e9dbd3275d3b4100d97','finished','Chosen.',1.5,'2026-11-21T03:57:14+00:00','2026-11-21T03:57:14+00:00');
CREATE TABLE datasets (
	id INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	"key" VARCHAR(200) NOT NULL, 
	source TEXT NOT NULL, 
	created VARCHAR(40) NOT NULL, 
	CONSTRAINT pk_datasets PRIMARY KEY (id), 
	CONSTRAINT uq_datasets_key UNIQUE ("key")
);
INSERT INTO "datasets" VALUES(1,'clouds','clouds','/photos/clouds','2026-11-21T03:57:14+00:00');
CREATE TABLE models (
	id INTEGER NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	"key" VARCHAR(200) NOT NULL, 
	number INTEGER NOT NULL, 
	dataset_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	climb_id VARCHAR(40), 
	digest VARCHAR(64) NOT NULL, 
	created VARCHAR(40) NOT NULL, 
	CONSTRAINT pk_models PRIMARY KEY (id), 
	CONSTRAINT uq_models_key_number UNIQUE ("key", number), 
	CONSTRAINT fk_models_dataset_id FOREIGN KEY(dataset_id) REFERENCES datasets (id) ON DELETE RESTRICT, 
	CONSTRAINT fk_models_climb_id FOREIGN KEY(climb_id) REFERENCES climbs (id) ON DELETE SET NULL
);
INSERT INTO "models" VALUES(1,'clouds','clouds',1,1,1,'20261121T035714-1145cb','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','2026-11-21T03:57:14+00:00');
CREATE TABLE openings (
	id INTEGER NOT NULL, 
	dataset_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	model_digest VARCHAR(64) NOT NULL, 
	model VARCHAR(220) NOT NULL, 
	opened VARCHAR(40) NOT NULL, 
	CONSTRAINT pk_openings PRIMARY KEY (id), 
	CONSTRAINT uq_openings_dataset_id_number UNIQUE (dataset_id, number), 
	CONSTRAINT uq_openings_dataset_id_version_model_digest UNIQUE (dataset_id, version, model_digest), 
	CONSTRAINT fk_openings_dataset_id FOREIGN KEY(dataset_id) REFERENCES datasets (id) ON DELETE CASCADE
);
INSERT INTO "openings" VALUES(1,1,1,1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','clouds@1','2026-11-21T03:57:14+00:00');
CREATE TABLE versions (
	id INTEGER NOT NULL, 
	dataset_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	parent INTEGER, 
	digest VARCHAR(64) NOT NULL, 
	what TEXT NOT NULL, 
	examples INTEGER NOT NULL, 
	classes INTEGER NOT NULL, 
	bytes INTEGER NOT NULL, 
	created VARCHAR(40) NOT NULL, 
	CONSTRAINT pk_versions PRIMARY KEY (id), 
	CONSTRAINT uq_versions_dataset_id_number UNIQUE (dataset_id, number), 
	CONSTRAINT fk_versions_dataset_id FOREIGN KEY(dataset_id) REFERENCES datasets (id) ON DELETE CASCADE
);
INSERT INTO "versions" VALUES(1,1,1,NULL,'e7eca054e674f67e34b6dd763e313e2e378525c475e24d353a9f2660e8f5d3d3','imported 2 pictures',2,2,13,'2026-11-21T03:57:14+00:00');
CREATE INDEX ix_climbs_dataset_id_version_spec_digest ON climbs (dataset_id, version, spec_digest);
COMMIT;
